const W = 500, H = 500, MOST = 500;
let sum = 0;
for (let y = 0; y < H; y++) {
  const ci = 2 * y / H - 1;
  for (let x = 0; x < W; x++) {
    const cr = 2 * x / W - 1.5;
    let zr = 0, zi = 0, r2 = 0, i2 = 0, n = 0;
    while (n < MOST && r2 + i2 <= 4) {
      zi = 2 * zr * zi + ci;
      zr = r2 - i2 + cr;
      r2 = zr * zr;
      i2 = zi * zi;
      n++;
    }
    sum += n;
  }
}
console.log(sum);
