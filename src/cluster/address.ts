/** Addresses as text. Pure. */

/** One spelling for each address, without brackets: IPv6 has many. What is none stays as it is, in lower case. */
export function canonicalAddress(address: string): string {
  const url = `http://[${address}]`;
  return address.includes(':') && URL.canParse(url)
    ? new URL(url).hostname.slice(1, -1)
    : address.toLowerCase();
}
