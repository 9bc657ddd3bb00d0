/** Signs of progress of a start as its units give them: lines of the log, and processes at work. */
import type { Signs } from '../src/engines/patience.ts';
import type { WorkLook } from '../src/process/at-work.ts';
import { haveWorked } from '../src/process/at-work.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';

export class SignsOfProgress {
  private readonly units: readonly string[];
  private work: WorkLook;
  private signs: Signs;

  constructor(units: readonly string[], startedAt: number) {
    this.units = units;
    this.work = { at: startedAt, members: [] };
    this.signs = { lineAt: startedAt, workAt: startedAt };
  }

  /** When each was last seen; `hasLine` says that the log has grown since the last call. */
  async seenAt(now: number, hasLine: boolean): Promise<Signs> {
    const look = { at: now, members: await this.members() };
    const hasWorked = haveWorked(this.work, look);
    if (hasWorked !== null) this.work = look;
    if (hasLine) this.signs = { lineAt: now, workAt: now };
    else if (hasWorked === true) this.signs = { ...this.signs, workAt: now };
    return this.signs;
  }

  /** First-use compilers among them: they run as children. */
  private async members() {
    const looks = await Promise.all(this.units.map(lookAtUnit));
    const groups = looks.flatMap((look) => (look.controlGroup === null ? [] : [look.controlGroup]));
    return (await Promise.all(groups.map(membersOf))).flat();
  }
}
