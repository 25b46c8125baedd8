/**
 * How Node.js runs an agent best; the package's `alcor-agent` has the same. A burst of first packets is alive until the switch has confirmed their flows: in the
 * young generation of 1 MiB that V8 begins with it is copied over and over (a fifth of the CPU time of 200 first packets, `npm run bench:first-packet`).
 * Costs 16 MiB of memory, and up to 48 in a burst.
 */
export const agentNodeOptions: readonly string[] = ['--min-semi-space-size=16'];
