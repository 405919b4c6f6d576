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

/**
 * `y` = saturated floor(v + 0.5), with attributes qmin, qmax and `to`; the zero point, where one is
 * named, is added before the saturation.
 */
export function settle(v: string, y = "y", zero?: string): string {
  const sum = zero === undefined
    ? `r_f=Floor(r_a)`
    : `r_g=Floor(r_a); r_z=Cast(@${zero}){to=f64}; r_f=Add(r_g, r_z)`;
  return `r_a=Add(${v}, f64:0.5); ${sum}; r_l=Cast(@qmin){to=f64}; r_u=Cast(@qmax){to=f64}; ` +
    `r_c=Clip(r_f, r_l, r_u); ${y}=Cast(r_c){to=@to}`;
}

/** Attributes that {@linkcode settle} reads. */
export const settleAttrs: readonly string[] = ["qmin:int", "qmax:int", "to:int"];

/** Joins body statements. */
export function body(...parts: readonly string[]): string {
  return parts.join("; ");
}

/**
 * x = 256 * hi + lo of an int16 tensor: hi is int8, `lo` is stored as int8 with zero point -128 (stock
 * native runtimes saturate inside kernels that mix unsigned and signed operands).
 */
export function split16(x: string, p: string): string {
  return `${p}_i=Cast(${x}){to=i32}; ${p}_l=Mod(${p}_i, i32:256); ${p}_h0=Sub(${p}_i, ${p}_l); ` +
    `${p}_h1=Div(${p}_h0, i32:256); ${p}_hi=Cast(${p}_h1){to=i8}; ` +
    `${p}_l2=Sub(${p}_l, i32:128); ${p}_lo=Cast(${p}_l2){to=i8}`;
}

/** `v` = (acc * m + 2^(s-1)) >> s for int64 accumulators beyond 2^31; `settle` then saturates it. */
export function requant64(acc: string, m: string, s: string): string {
  return `q_m=Cast(${m}){to=i64}; q_s=Cast(${s}){to=f64}; q_pf=Pow(f64:2, q_s); q_d=Cast(q_pf){to=i64}; ` +
    `q_h=Div(q_d, i64:2); q_p=Mul(${acc}, q_m); q_t=Add(q_p, q_h); q_r=Mod(q_t, q_d); ` +
    "q_e=Sub(q_t, q_r); q_v=Div(q_e, q_d); v=Cast(q_v){to=f64}";
}
