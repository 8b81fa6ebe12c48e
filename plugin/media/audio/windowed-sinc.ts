/** The impulse response of an ideal low-pass filter at half of the sample rate. */
export function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window: 1 in the middle, at 0. @param edge -1 to 1 @param beta 5.65 holds down by 60 dB what is beside the pass band */
export function kaiser(edge: number, beta: number): number {
  return besselI0(beta * Math.sqrt(1 - edge * edge)) / besselI0(beta);
}

/** The modified Bessel function of the first kind and order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let total = 1;
  for (let n = 1; n < 30; n++) {
    term *= (x / (2 * n)) ** 2;
    total += term;
  }
  return total;
}
