import type { NetworkId } from './nouns.ts';

/** Networks that are made for projects that ask for no more than a network. */
export interface AutoTopologies {
  /** The project's network, made with its subnets and its router where there is none yet; AutoAllocationFailure. */
  ensure(projectId: string): Promise<NetworkId>;
  /** AutoAllocationFailure where `ensure` could not make one. */
  check(): Promise<void>;
  /** Removes what was made for the project, if anything. */
  remove(projectId: string): Promise<void>;
}
