// The tiled kernels; built at level 0 into build/micro.wasm (see scripts/build_wasm.ts).
export { densePanels, denseStrip } from "./dense";
export { depthwise } from "./depthwise";
export { peakDot, peakRelaxed } from "./peak";
export { depthwiseF32 } from "./depthwise_f32";
