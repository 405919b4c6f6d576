// @ts-self-types="./ort_text.d.ts"
// The library as text: a Worker made from a Blob may import nothing else without a permission. The
// version is that of src/deps.ts (a test compares them).
import text from "npm:onnxruntime-web@1.30.0/wasm" with { type: "text" };
export default text;
