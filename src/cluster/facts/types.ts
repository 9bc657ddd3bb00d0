/** What is read from a node, as one value. `null` means unknown, which is never read as zero or as good. */
import type { HardwareClass } from '../../config/schema.ts';
import type { NodeState } from '../state.ts';

export interface Listener {
  readonly port: number;
  readonly address: string;
  readonly pid: number | null;
  readonly process: string | null;
  readonly user: string | null;
  /** The systemd unit that holds the process, where that can be read. */
  readonly unit: string | null;
  /** Is it a unit of a user's own manager? */
  readonly userUnit: boolean;
}

/** A process that may hold GPU memory or ports and is not in one of our units. */
export interface Stranger {
  readonly kind: 'ray' | 'engine' | 'ollama' | 'desktop' | 'gpu';
  readonly pid: number;
  readonly user: string;
  readonly command: string;
  /** The systemd unit that holds it, and whether that is a unit of a user's own manager. */
  readonly unit: string | null;
  readonly userUnit: boolean;
  /** GPU memory that it holds, where the driver tells. */
  readonly gpuBytes: number | null;
}

export interface Gpu {
  readonly name: string;
  /** Compute capability, as "12.1". */
  readonly capability: string | null;
}

export interface NodeFacts {
  /** The node's clock when it was read, in milliseconds since 1970. */
  readonly clock: number;
  readonly hostName: string | null;
  readonly machine: string | null;
  readonly glibc: string | null;
  readonly os: string | null;
  readonly user: {
    readonly name: string;
    readonly uid: number;
    readonly home: string;
    readonly groups: readonly string[];
  };
  readonly systemd: {
    /** systemd is PID 1. */
    readonly running: boolean;
    readonly version: number | null;
    /** The user's own manager answers. */
    readonly userManager: boolean;
    readonly linger: boolean | null;
    /** polkit is there, which lets a user switch lingering on without root. */
    readonly polkit: boolean;
    /** Control groups are those of version 2 alone, from which the processes of a unit are read. */
    readonly unified?: boolean;
  };
  readonly gpus: readonly Gpu[];
  /** Why no GPU could be read, in the tool's own words. */
  readonly gpuError: string | null;
  readonly driver: string | null;
  /** First line of /etc/nv_tegra_release: a Jetson. */
  readonly tegra: string | null;
  /** Assemblers under /usr/local/cuda*, as full paths. */
  readonly ptxas: readonly string[];
  /** Device files of the GPU that a *user unit* cannot open, with the group that could; null when no unit could look. */
  readonly gpuDevicesClosed: readonly { readonly path: string; readonly group: string }[] | null;
  /** Class read from the GPU's name and capability. */
  readonly hardware: HardwareClass;
  readonly interfaces: readonly {
    readonly name: string;
    readonly up: boolean;
    readonly mtu: number;
    readonly addresses: readonly string[];
  }[];
  /** Interfaces that have an RDMA device in state ACTIVE. */
  readonly rdmaInterfaces: readonly string[];
  readonly memory: { readonly totalBytes: number | null; readonly availableBytes: number | null };
  /** Space where environments and models would lie. */
  readonly disks: readonly {
    readonly purpose: 'root' | 'model';
    readonly path: string;
    readonly freeBytes: number;
    readonly fileSystem: string;
  }[];
  /** Who listens on the ports that were asked for; null when it could not be read. */
  readonly listeners: readonly Listener[] | null;
  readonly strangers: readonly Stranger[];
  /** Python interpreters found, `python3.12` → "3.12.3". */
  readonly pythons: readonly { readonly path: string; readonly version: string }[];
  /** Can each index, hub and the Ray head be reached from this node? `null` when there was no tool to ask with. */
  readonly reach: readonly {
    readonly url: string;
    readonly reachable: boolean | null;
    readonly reason: string | null;
  }[];
  /** What the host's own name resolves to there. */
  readonly ownNameAddresses: readonly string[];
  readonly state: NodeState;
}
