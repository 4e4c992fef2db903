local sqrt = math.sqrt
local SUN, YEAR = 4 * math.pi * math.pi, 365.24
local function body(x, y, z, vx, vy, vz, m)
  return {x = x, y = y, z = z, vx = vx * YEAR, vy = vy * YEAR, vz = vz * YEAR, m = m * SUN}
end
local b = {
  body(0, 0, 0, 0, 0, 0, 1),
  body(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
       1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
  body(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
       -2.76742510726411151e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
  body(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
       2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
  body(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
       2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05)}

local function advance(dt)
  for i = 1, 5 do
    local bi = b[i]
    local x, y, z, vx, vy, vz, m = bi.x, bi.y, bi.z, bi.vx, bi.vy, bi.vz, bi.m
    for j = i + 1, 5 do
      local bj = b[j]
      local dx, dy, dz = x - bj.x, y - bj.y, z - bj.z
      local d2 = dx * dx + dy * dy + dz * dz
      local mag = dt / (d2 * sqrt(d2))
      local mj = bj.m
      vx = vx - dx * mj * mag
      vy = vy - dy * mj * mag
      vz = vz - dz * mj * mag
      bj.vx = bj.vx + dx * m * mag
      bj.vy = bj.vy + dy * m * mag
      bj.vz = bj.vz + dz * m * mag
    end
    bi.vx, bi.vy, bi.vz = vx, vy, vz
  end
  for i = 1, 5 do
    local bi = b[i]
    bi.x, bi.y, bi.z = bi.x + dt * bi.vx, bi.y + dt * bi.vy, bi.z + dt * bi.vz
  end
end

local px, py, pz = 0, 0, 0
for i = 1, 5 do
  local bi = b[i]
  px, py, pz = px + bi.vx * bi.m, py + bi.vy * bi.m, pz + bi.vz * bi.m
end
b[1].vx, b[1].vy, b[1].vz = -px / SUN, -py / SUN, -pz / SUN
for _ = 1, 3000000 do advance(0.01) end
local e = 0
for i = 1, 5 do
  local bi = b[i]
  e = e + 0.5 * bi.m * (bi.vx * bi.vx + bi.vy * bi.vy + bi.vz * bi.vz)
  for j = i + 1, 5 do
    local bj = b[j]
    local dx, dy, dz = bi.x - bj.x, bi.y - bj.y, bi.z - bj.z
    e = e - bi.m * bj.m / sqrt(dx * dx + dy * dy + dz * dz)
  end
end
print(string.format("%d", math.floor(-e * 1e9)))
