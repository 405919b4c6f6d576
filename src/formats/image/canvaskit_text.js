// @ts-self-types="./canvaskit_text.d.ts"
// The codecs' loader as text: a Worker made from a Blob may import nothing else without a permission. The
// version is that of src/deps.ts (a test compares them).
import text from "npm:canvaskit-wasm@0.42.0/bin/canvaskit.js" with { type: "text" };
export default text;
