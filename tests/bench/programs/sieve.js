const N = 4000000, flags = new Uint8Array(N + 1);
let count = 0;
for (let round = 0; round < 16; round++) {
  count = 0;
  flags.fill(1);
  for (let i = 2; i <= N; i++)
    if (flags[i]) {
      count++;
      for (let j = i * i; j <= N; j += i) flags[j] = 0;
    }
}
console.log(count);
