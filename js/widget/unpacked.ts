/** Unpacks what the kernel sends gzipped. */
export async function unpacked(bytes: DataView): Promise<Response> {
  const packed = new Blob([bytes as DataView<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(packed);
}
