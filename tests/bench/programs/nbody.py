from math import pi, sqrt

SUN, YEAR = 4 * pi * pi, 365.24


class Body:
    __slots__ = ("x", "y", "z", "vx", "vy", "vz", "m")

    def __init__(self, x, y, z, vx, vy, vz, m):
        self.x, self.y, self.z = x, y, z
        self.vx, self.vy, self.vz, self.m = vx * YEAR, vy * YEAR, vz * YEAR, m * SUN


bodies = [
    Body(0, 0, 0, 0, 0, 0, 1),
    Body(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
         1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
    Body(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
         -2.76742510726411151e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
    Body(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
         2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
    Body(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
         2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05)]


def advance(steps, dt):
    for _ in range(steps):
        for i in range(5):
            bi = bodies[i]
            x, y, z, vx, vy, vz, m = bi.x, bi.y, bi.z, bi.vx, bi.vy, bi.vz, bi.m
            for j in range(i + 1, 5):
                bj = bodies[j]
                dx, dy, dz, mj = x - bj.x, y - bj.y, z - bj.z, bj.m
                d2 = dx * dx + dy * dy + dz * dz
                mag = dt / (d2 * sqrt(d2))
                vx -= dx * mj * mag
                vy -= dy * mj * mag
                vz -= dz * mj * mag
                bj.vx += dx * m * mag
                bj.vy += dy * m * mag
                bj.vz += dz * m * mag
            bi.vx, bi.vy, bi.vz = vx, vy, vz
        for bi in bodies:
            bi.x += dt * bi.vx
            bi.y += dt * bi.vy
            bi.z += dt * bi.vz


def energy():
    e = 0
    for i in range(5):
        bi = bodies[i]
        e += 0.5 * bi.m * (bi.vx * bi.vx + bi.vy * bi.vy + bi.vz * bi.vz)
        for bj in bodies[i + 1:]:
            dx, dy, dz = bi.x - bj.x, bi.y - bj.y, bi.z - bj.z
            e -= bi.m * bj.m / sqrt(dx * dx + dy * dy + dz * dz)
    return e


px = py = pz = 0
for body in bodies:
    px += body.vx * body.m
    py += body.vy * body.m
    pz += body.vz * body.m
bodies[0].vx, bodies[0].vy, bodies[0].vz = -px / SUN, -py / SUN, -pz / SUN
advance(3000000, 0.01)
print(int(-energy() * 1e9))
