/** Version of bpukit, as every command and file states it. */
export const version = "0.1.0";
