// The KL search. Its logarithm is computed here, so that the bits are the same on every host.

const LN2: f64 = 0.6931471805599453;

// For c = 1 + i / 128, i = 0..127: f64 ln c, f64 1 / c. (AssemblyScript's own logarithm costs 4 times as much.)
export function lnTable(at: usize): void {
  for (let i = 0; i < 128; i++, at += 16) {
    const c = 1 + <f64>i / 128;
    store<f64>(at, Math.log(c));
    store<f64>(at, 1 / c, 8);
  }
}

// ln(x) of a normal x > 0: exact for 1, within 1e-13 elsewhere.
// @ts-ignore: decorator
@inline
function ln(x: f64, table: usize): f64 {
  const bits = reinterpret<u64>(x);
  // m in [1, 2), and m with the highest 7 bits of its fraction only.
  const m = reinterpret<f64>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  const c = reinterpret<f64>((bits & 0xfe00000000000) | 0x3ff0000000000000);
  const at = table + (<usize>(<u32>(bits >> 45) & 127) << 4);
  const z = (m - c) * load<f64>(at, 8);
  const series = z * (1 - z * (0.5 - z * (1.0 / 3 - z * (0.25 - z * 0.2))));
  return <f64>(<i32>(bits >> 52) - 1023) * LN2 + load<f64>(at) + series;
}

// The same of two values, bit for bit. Of 0 it is some finite number.
// @ts-ignore: decorator
@inline
function ln2(x: v128, table: usize): v128 {
  const one = i64x2.splat(0x3ff0000000000000);
  const m = v128.or(v128.and(x, i64x2.splat(0xfffffffffffff)), one);
  const c = v128.or(v128.and(x, i64x2.splat(0xfe00000000000)), one);
  const i = v128.and(i64x2.shr_u(x, 41), i64x2.splat(127 << 4));
  const a = v128.load(table + <usize>i64x2.extract_lane(i, 0)), b = v128.load(table + <usize>i64x2.extract_lane(i, 1));
  const z = f64x2.mul(f64x2.sub(m, c), i64x2.shuffle(a, b, 1, 3));
  let t = f64x2.sub(f64x2.splat(0.25), f64x2.mul(z, f64x2.splat(0.2)));
  t = f64x2.sub(f64x2.splat(1.0 / 3), f64x2.mul(z, t));
  t = f64x2.sub(f64x2.splat(0.5), f64x2.mul(z, t));
  t = f64x2.mul(z, f64x2.sub(f64x2.splat(1), f64x2.mul(z, t)));
  const e = i64x2.shr_u(x, 52);
  const exponent = f64x2.convert_low_i32x4_s(i32x4.sub(i32x4.shuffle(e, e, 0, 2, 0, 2), i32x4.splat(1023)));
  return f64x2.add(f64x2.add(f64x2.mul(exponent, f64x2.splat(LN2)), i64x2.shuffle(a, b, 0, 2)), t);
}

// Divergence for levels, levels + 1, ... n bins (threshold_ref.ts is the definition).
// h: n f64 counts. work: 4 (n + 1) f64. empty: ln of what Q is where it is empty and P is not; -Infinity makes
// such candidates infinite.
export function klCurve(h: usize, n: i32, levels: i32, empty: f64, table: usize, work: usize, out: usize): void {
  const size = <usize>(n + 1) << 3;
  const sum = work, filled = work + size, entropy = filled + size, lnCount = entropy + size;
  let s: f64 = 0, f: u32 = 0, e: f64 = 0;
  store<f64>(sum, 0);
  store<u32>(filled, 0);
  store<f64>(entropy, 0);
  store<f64>(lnCount, 0);
  for (let i: usize = 0; i < <usize>n; i++) {
    const c = load<f64>(h + (i << 3));
    if (c > 0) {
      s += c;
      f++;
      e += c * ln(c, table);
    }
    store<f64>(sum + (i << 3), s, 8);
    store<u32>(filled + (i << 3), f, 8);
    store<f64>(entropy + (i << 3), e, 8);
    store<f64>(lnCount + (i << 3), ln(<f64>(i + 1), table), 8);
  }
  const total = s, lnTotal = ln(total, table);
  for (let i = levels; i <= n; i++, out += 8) {
    const kept = load<f64>(sum + (<usize>i << 3)), outside = total - kept;
    if (!(kept > 0)) {
      store<f64>(out, Infinity);
      continue;
    }
    const before = load<f64>(h + (<usize>(i - 1) << 3)), onEmpty = before == 0;
    const lnKept = ln(kept, table);
    // floor(g i / levels), by steps
    const whole = i / levels, part = i % levels;
    let to = 0, rest = 0, s0: f64 = 0, f0: u32 = 0, both = f64x2.splat(0);
    for (let g = 0; g + 2 <= levels; g += 2) {
      to += whole;
      rest += part;
      if (rest >= levels) {
        rest -= levels;
        to++;
      }
      const s1 = load<f64>(sum + (<usize>to << 3)), f1 = load<u32>(filled + (<usize>to << 3));
      to += whole;
      rest += part;
      if (rest >= levels) {
        rest -= levels;
        to++;
      }
      const s2 = load<f64>(sum + (<usize>to << 3)), f2 = load<u32>(filled + (<usize>to << 3));
      const groups = f64x2.replace_lane(f64x2.splat(s1 - s0), 1, s2 - s1);
      const counts = v128.load64_lane(
        lnCount + (<usize>(f2 - f1) << 3), v128.load64_zero(lnCount + (<usize>(f1 - f0) << 3)), 1);
      both = f64x2.add(both, f64x2.mul(groups, f64x2.sub(ln2(groups, table), counts)));
      s0 = s2;
      f0 = f2;
    }
    let cross = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
    // Of an odd number of groups the last is left.
    if (levels & 1) {
      const group = kept - s0;
      if (group > 0) cross += group * (ln(group, table) - load<f64>(lnCount + (<usize>(load<u32>(filled + (<usize>i << 3)) - f0) << 3)));
    }
    if (onEmpty) {
      if (outside > 0) cross += outside * (empty + lnKept);
    } else {
      const from = <usize>((levels - 1) * i / levels);
      const group = kept - load<f64>(sum + (from << 3));
      const n = load<u32>(filled + (<usize>i << 3)) - load<u32>(filled + (from << 3));
      cross += outside * (ln(group, table) - load<f64>(lnCount + (<usize>n << 3)));
    }
    const last = before + outside;
    const own = load<f64>(entropy + (<usize>(i - 1) << 3)) + (last > 0 ? last * ln(last, table) : 0);
    store<f64>(out, (own - cross) / total - lnTotal + lnKept);
  }
}
