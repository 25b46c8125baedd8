/** What makes a machine on the physical network that is no VM: a namespace with one cable. */
export function outsideCommands(machine: {
  readonly netns: string;
  /** The namespace that its cable comes from, and what plugs that end in. */
  readonly at: string;
  readonly cable: string;
  readonly plug: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Addresses that are reached through it. */
  readonly also: readonly string[];
  readonly routes: readonly string[];
  readonly settings: string;
}): string {
  const { netns, at, cable, plug, mac, addresses, also, routes, settings } = machine;
  return `
    ip netns add ${netns}
    ip -n ${at} link add ${cable} type veth peer name eth0 netns ${netns}
    ip -n ${at} link set ${cable} up
    ${plug}
    ip netns exec ${netns} sh -c 'ethtool -K eth0 tx off >/dev/null; sysctl -qw ${settings}'
    ip -n ${netns} -force -batch - <<'END'
link set lo up
link set eth0 address ${mac} mtu 1400 up
${addresses.map((each) => `addr add ${each} dev eth0${each.includes(':') ? ' nodad' : ' brd +'}`).join('\n')}
${also.map((each) => `addr add ${each} dev lo`).join('\n')}
${routes.map((each) => `route add ${each}`).join('\n')}
END`;
}
