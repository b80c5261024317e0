// Writes what does not print as an escape: it could reorder the text around it.
export const shown = (text) => text.replace(/[\p{C}\p{Z}]/gu, (letter) => {
  const code = letter.codePointAt(0);
  if (code === 0x20) return letter;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
});
