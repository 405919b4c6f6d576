/** Source of the JavaScript side of canvaskit (a CommonJS module without imports). */
declare const text: string;
export default text;
