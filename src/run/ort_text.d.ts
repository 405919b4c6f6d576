/** Source of the JavaScript side of onnxruntime-web (one ES module without imports). */
declare const text: string;
export default text;
