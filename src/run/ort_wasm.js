// @ts-self-types="./ort_wasm.d.ts"
// A source-phase import puts the compiled module into the module graph, so that loading it needs no
// permission. TypeScript refuses the syntax; hence JavaScript with a declaration file. The version is
// that of src/deps.ts (a test compares them).
import source wasm from "npm:onnxruntime-web@1.30.0/ort-wasm-simd-threaded.wasm";
export default wasm;
