/** Unpacks what the kernel sends gzipped. */
export async function unpacked(bytes: DataView): Promise<Response> {
  const packed = new Blob([bytes as DataView<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(packed);
}

/** Runs a script that the kernel sent gzipped, and returns what it exports. */
export async function imported<T>(bytes: DataView): Promise<T> {
  const script = new Blob([await (await unpacked(bytes)).arrayBuffer()], { type: "text/javascript" });
  const url = URL.createObjectURL(script);
  try {
    return (await import(url)) as T;
  } finally {
    URL.revokeObjectURL(url);
  }
}
