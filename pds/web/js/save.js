/* Bytes into a file of the person's: the browser's own download. */

/** @param {Blob} bytes @param {string} name */
export function save(bytes, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has read it by then
}
