/**
 * Pieces of function bodies that several quantized operators share, in the text form of
 * `src/ir/function.ts`. Every body clips before it casts, rounds by Floor(v + 0.5) in double, and
 * puts no float32 product behind a float32 convolution (stock runtimes would fold it into weights).
 *
 * @module
 */

/** `k` = m * 2^-s in double, from inputs named m and s. */
export function factor(k: string, m: string, s: string): string {
  return `${k}_m=Cast(${m}){to=f64}; ${k}_s=Cast(${s}){to=f64}; ${k}_n=Neg(${k}_s); ` +
    `${k}_p=Pow(f64:2, ${k}_n); ${k}=Mul(${k}_m, ${k}_p)`;
}

/** `y` = saturated floor(v + 0.5), with attributes qmin, qmax and `to`. */
export function settle(v: string, y = "y"): string {
  return `r_a=Add(${v}, f64:0.5); r_f=Floor(r_a); r_l=Cast(@qmin){to=f64}; r_u=Cast(@qmax){to=f64}; ` +
    `r_c=Clip(r_f, r_l, r_u); ${y}=Cast(r_c){to=@to}`;
}

/** Attributes that {@linkcode settle} reads. */
export const settleAttrs: readonly string[] = ["qmin:int", "qmax:int", "to:int"];

/** Joins body statements. */
export function body(...parts: readonly string[]): string {
  return parts.join("; ");
}
