/**
 * The units of a gang: what the workflow wants on each node, as typed values, and the names that follow from them.
 * A unit is named by the hash of its definition, so "a unit of that name is active" means "it runs as wanted".
 */
import type { ClusterSpec, HardwareClass, SpecNode } from '../config/schema.ts';
import { fail } from '../errors.ts';
import { digest } from './hash.ts';
import type { Endpoint, EngineUnit, EnvironmentPlace, RayUnit } from './inputs.ts';
import { engineUnitPrefix, rayUnitPrefix } from './layout.ts';
import { servedName } from './models.ts';

/** Name of the systemd unit (without `.service`) that runs this Ray node. */
export function rayUnitName(unit: RayUnit): string {
  return rayUnitPrefix + digest(unit);
}

/** Name of the systemd unit (without `.service`) that runs the engine. */
export function engineUnitName(unit: EngineUnit): string {
  return engineUnitPrefix + digest(unit);
}

/** What is known about a node once it has been observed and prepared. */
export interface PreparedNode {
  readonly node: SpecNode;
  readonly hardware: HardwareClass;
  readonly place: EnvironmentPlace;
  /** Environment of Ray and the engine there. */
  readonly variables: Readonly<Record<string, string>>;
  readonly modelPath: string;
}

/** The node with rank 0. */
export function headOf<T extends { node: SpecNode }>(spec: ClusterSpec, nodes: readonly T[]): T {
  const head = nodes.find((each) => each.node.name === spec.head);
  if (!head) throw fail('SPEC_INVALID', { problems: `head ${spec.head} is not one of the nodes` });
  return head;
}

/** The Ray node wanted on one machine. */
export function wantedRay(spec: ClusterSpec, prepared: PreparedNode, headAddress: string): RayUnit {
  return {
    role: prepared.node.name === spec.head ? 'head' : 'worker',
    place: prepared.place,
    headAddress,
    nodeAddress: prepared.node.address,
    port: spec.ray.port,
    gpus: prepared.node.gpus,
    cpus: spec.ray.cpus,
    objectStoreBytes: spec.ray.objectStoreMegabytes * 1_000_000,
    variables: { ...prepared.variables },
  };
}

/** The engine wanted on the head. */
export function wantedEngine(spec: ClusterSpec, head: PreparedNode): EngineUnit {
  const { serving, parallel, model, engine } = spec;
  if (engine.name !== 'sglang')
    throw fail('SPEC_INVALID', { problems: `engine ${engine.name} is not brought up by this version` });
  return {
    place: head.place,
    engine: engine.name,
    version: engine.version,
    model: head.modelPath,
    servedName: servedName(spec),
    address: serving.address ?? head.node.address,
    port: serving.port,
    pipeline: parallel.pipeline,
    tensor: parallel.tensor,
    nodes: spec.nodes.length,
    rendezvousPort: serving.rendezvousPort,
    ...(serving.memoryFraction !== undefined && { memoryFraction: serving.memoryFraction }),
    ...(serving.contextLength !== undefined && { contextLength: serving.contextLength }),
    ...(serving.maxRunningRequests !== undefined && { maxRunningRequests: serving.maxRunningRequests }),
    ...(serving.kvCacheDtype !== undefined && { kvCacheDtype: serving.kvCacheDtype }),
    cudaGraphs: serving.cudaGraphs,
    trustRemoteCode: model.trustRemoteCode,
    extraArguments: serving.extraArguments,
    withApiKey: spec.secrets.includes('apiKey'),
    headAddress: head.node.address,
    rayPort: spec.ray.port,
    variables: { ...head.variables },
  };
}

/** One node's part in a gang. */
export interface Member {
  readonly prepared: PreparedNode;
  readonly ray: RayUnit;
  readonly rayUnit: string;
}

/** The gang as it is wanted. */
export interface WantedGang {
  readonly spec: ClusterSpec;
  readonly head: Member;
  readonly workers: readonly Member[];
  readonly engine: EngineUnit;
  readonly engineUnit: string;
}

export function wantedGang(spec: ClusterSpec, prepared: readonly PreparedNode[]): WantedGang {
  const headNode = headOf(spec, prepared);
  const member = (each: PreparedNode): Member => {
    const ray = wantedRay(spec, each, headNode.node.address);
    return { prepared: each, ray, rayUnit: rayUnitName(ray) };
  };
  const engine = wantedEngine(spec, headNode);
  return {
    spec,
    head: member(headNode),
    workers: prepared.filter((each) => each !== headNode).map(member),
    engine,
    engineUnit: engineUnitName(engine),
  };
}

/** All ranks' nodes, the head first. */
export const members = (gang: WantedGang): readonly Member[] => [gang.head, ...gang.workers];

/** What of Ray listens on every node beside the head's own port, in the order of their ports, which follow that one. */
export const rayHelpers = [
  'node-manager',
  'object-manager',
  'runtime-env-agent',
  'dashboard-agent-grpc',
  'dashboard-agent-listen',
  'metrics-export',
] as const;

/** Their ports, in that order. */
export const helperPorts = (rayPort: number): number[] => rayHelpers.map((_name, at) => rayPort + 1 + at);

/** Where a gang listens on a node: Ray's helpers; on the head also Ray, the ranks' meeting point and the API. */
export function endpointsOf(spec: ClusterSpec, node: SpecNode): Endpoint[] {
  const { address } = node;
  const { port } = spec.ray;
  const helpers = helperPorts(port).map((each) => ({ address, port: each }));
  if (node.name !== spec.head) return helpers;
  return [apiAddress(spec), { address, port: spec.serving.rendezvousPort }, { address, port }, ...helpers];
}

/** Where the API answers. */
export function apiAddress(spec: ClusterSpec): Endpoint {
  const head = spec.nodes.find((node) => node.name === spec.head);
  return { address: spec.serving.address ?? head?.address ?? '127.0.0.1', port: spec.serving.port };
}
