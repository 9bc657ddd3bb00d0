/** What a program file is made for, read from its first bytes: nothing is run to find out. */
import { open } from 'node:fs/promises';
import type { Platform } from './pins.ts';

const ELF_MAGIC = 0x7f454c46;
const MACHINES: Readonly<Record<number, Platform>> = { 62: 'linux-x64', 183: 'linux-arm64' };

/** The platform of an ELF program; undefined for scripts, programs of other systems, and files that cannot be read. */
export async function platformOfBinary(path: string): Promise<Platform | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    if (bytesRead < 20 || buffer.readUInt32BE(0) !== ELF_MAGIC) return undefined;
    // 64 bits, least significant byte first
    if (buffer[4] !== 2 || buffer[5] !== 1) return undefined;
    return MACHINES[buffer.readUInt16LE(18)];
  } finally {
    await file.close();
  }
}

/** The platform of this machine, if windlass places programs for it. */
export function ownPlatform(): Platform | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return 'linux-x64';
  return process.arch === 'arm64' ? 'linux-arm64' : undefined;
}
