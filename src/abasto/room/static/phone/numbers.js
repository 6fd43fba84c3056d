// What somebody typed for a quantity. Nothing is guessed: what can be read in two ways is asked about.

const FOREIGN = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹";

// Returns {number} as text, or {choices} of what it may be, or {} if it is no quantity.
export function readNumber(typed) {
  let plain = "";
  for (const sign of typed.replace(/[\s\u202f]/g, "")) {
    const at = FOREIGN.indexOf(sign);
    plain += at >= 0 ? String(at % 10) : sign === "٫" ? "." : sign;
  }
  if (/^\d{1,16}(\.\d{1,9})?$/.test(plain)) {
    return /^[1-9]\d{0,2}\.\d{3}$/.test(plain) ? { choices: bothWays(plain) } : { number: plain };
  }
  if (/^\d{1,15}[,٬]\d{1,9}$/.test(plain)) {
    const point = plain.replace(/[,٬]/, ".");
    return { choices: /^[1-9]\d{0,2}\.\d{3}$/.test(point) ? bothWays(point) : [point] };
  }
  return {};
}

// 1.200 is a little over one to some and twelve hundred to others; a fourth decimal keeps three from being asked again.
function bothWays(text) {
  const low = text.replace(/0+$/, "").replace(/\.$/, "");
  const clear = /\.\d{3}$/.test(low) ? low + "0" : low;
  return [clear, text.replace(".", "")];
}
