/** The WebAssembly module of onnxruntime-web, compiled, not instantiated. */
declare const wasm: WebAssembly.Module;
export default wasm;
