/** Which processes of a node are ranks of the engine, and which the daemons of Ray that they depend on. */

/**
 * Whether a process of a node's Ray unit holds an actor, by its title. Ray titles it by the actor's class
 * (`ray::SchedulerActor.run_event_loop`, observed on hardware) or name, a process that waits for work `ray::IDLE`, and
 * its own helpers `ray::DashboardAgent` and `ray::RuntimeEnvAgent`. Of a title the kernel keeps the first 15
 * characters, and an emulator shows no more.
 */
export const isRank = (title: string): boolean => /^ray::(?!IDLE|Dashboard|RuntimeEnv)/.test(title);

/** By its command line; `raylet` alone is all that is known of one whose command line cannot be read. */
export const isRaylet = (command: string): boolean =>
  command === 'raylet' || command.includes('--raylet_socket_name=');
export const isGcs = (command: string): boolean =>
  command === 'gcs_server' || /\/gcs_server( |$)/.test(command);

/**
 * The daemon of Ray that is missing among the commands of a node's Ray; null where none is. Without a raylet the ranks of
 * a node end, without a GCS those of all nodes, a while later. `ray start` itself may go on without either.
 */
export function missingDaemon(commands: readonly string[]): 'raylet' | 'GCS' | null {
  const isHead = commands.some((command) => command.split(' ').includes('--head'));
  // A GCS takes the raylet along.
  if (isHead && !commands.some(isGcs)) return 'GCS';
  return commands.some(isRaylet) ? null : 'raylet';
}
