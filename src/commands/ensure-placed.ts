/** Makes sure that home and node workers stand. Where they do, that costs one look a node and nothing is loaded for it. */
import type { ClusterFile, SecretName } from '../config/schema.ts';
import { collectProblems } from '../errors.ts';
import { UploadView } from '../output/upload-view.ts';
import { demandNoDowngrade } from '../placing/downgrade.ts';
import { demandHomeRoom } from '../placing/home-room.ts';
import { findPlaced } from '../placing/find-placed.ts';
import type { LookedNode } from '../placing/look.ts';
import type { PlacedNode, PlacingOptions } from '../placing/place.ts';
import { placeCluster } from '../placing/place.ts';
import { readNode } from '../placing/reach.ts';
import type { CommandContext } from './context.ts';
import { demandChecks } from './demand-checks.ts';
import { ownPayload, withVersions } from './own-payload.ts';

export interface Standing {
  readonly placed: PlacedNode[];
  /** Was anything placed or started just now? */
  readonly isNew: boolean;
}

/** Return the nodes with their ids. Nothing is placed before the checks have passed: throws DISK_FULL for the head, DOWNGRADE, CHECKS_FAILED. */
export async function ensurePlaced(
  file: ClusterFile,
  looked: readonly LookedNode[],
  secrets: ReadonlyMap<SecretName, string>,
  context: CommandContext,
): Promise<Standing> {
  const head = looked.find(({ entry }) => entry.name === file.head);
  if (head) demandHomeRoom(head);
  const placed = await withVersions(context, (versionFor) =>
    findPlaced(looked, { file, secrets, versionFor }),
  );
  // The run that follows observes and checks by itself.
  if (placed) return { placed, isNew: false };

  demandNoDowngrade(looked);
  const reached = await collectProblems(looked.map((node) => readNode(file, node)));
  demandChecks(file, reached, context);
  const { assemblePayload } = await import('../placing/payload/assemble.ts');
  const payload = ownPayload(context);
  const payloads = new Map<string, ReturnType<typeof assemblePayload>>();
  const placedNow = await placeCluster(looked, {
    file,
    secrets,
    ...shownBy(context),
    payloadFor: (platform, withHome) => {
      const key = `${platform}/${String(withHome)}`;
      const known = payloads.get(key) ?? assemblePayload(payload(platform, withHome));
      payloads.set(key, known);
      return known;
    },
  });
  return { placed: placedNow, isNew: true };
}

function shownBy({ output }: CommandContext): Pick<PlacingOptions, 'note' | 'onBytes'> {
  const uploads = new UploadView(output);
  return {
    note: (node, sentence) => {
      output.note(`  ${node.padEnd(14)} ${sentence}`);
    },
    onBytes: (node, sent, total) => {
      uploads.show(node, sent, total);
    },
  };
}
