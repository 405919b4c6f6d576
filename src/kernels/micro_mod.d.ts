declare const micro: WebAssembly.Module;
export default micro;
