/** Which processes of a node are ranks of the engine, and which the daemons of Ray that they depend on. */

/**
 * Whether a process of a node's Ray unit holds an actor, by its title. Ray titles it by the actor's class
 * (`ray::SchedulerActor.run_event_loop`, observed on hardware) or name, a process that waits for work `ray::IDLE`, and
 * its own helpers `ray::DashboardAgent` and `ray::RuntimeEnvAgent`. Of a title the kernel keeps the first 15
 * characters, and an emulator shows no more.
 */
export const isRank = (title: string): boolean => /^ray::(?!IDLE|Dashboard|RuntimeEnv)/.test(title);

/** By its command line. What Ray starts through it has a command line of its own. */
export const isRaylet = (command: string): boolean => command.includes('--raylet_socket_name=');
export const isGcs = (command: string): boolean => /\/gcs_server( |$)/.test(command);
