// @ts-self-types="./micro_mod.d.ts"
import source micro from "../../core-as/build/micro.wasm";
export default micro;
