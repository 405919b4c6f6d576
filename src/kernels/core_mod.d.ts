declare const core: WebAssembly.Module;
export default core;
