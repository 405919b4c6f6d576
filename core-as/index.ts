// Everything but the micro-kernels; built at -O3 into build/core.wasm.
export { anyNegative, badFactor, channelTables, convGeneric } from "./conv";
export { packRight } from "./matmul";
export { binary } from "./elementwise";
export { prelu, requant } from "./requant";
export { lut16, lut8, lut8to16 } from "./lut";
export { avgPool, maxPool } from "./pool";
export { argExtreme, reduceExtreme, reduceSum, softmax } from "./reduce";
export { resizeLinear, resizeNearest } from "./resize";
export { copyStrided, fill } from "./copy";
export { dequantizeF32, fakeQuantizeF32, quantizeF32 } from "./quantize";
export { absmaxF32, compareF32, histogramF32, minmaxF32, rangeF32 } from "./calibrate";
export { binaryF32, depthwiseF32, packRightF32 } from "./float";
export { flipSign, nv12ToRgb, nv12ToYuv444 } from "./colour";
