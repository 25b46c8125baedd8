/** What the agent tells the data plane: the resources that flows are made from. Addresses in their usual text form. */

/** Besides its own addresses: what a port may send from, and with which MAC. */
export interface AllowedAddressPair {
  /** An address or a CIDR, IPv4 or IPv6. */
  readonly ip: string;
  readonly mac: string;
}

/** A port bound to this host. */
export interface LocalPort {
  /** Also what the plugged interface carries as `external_ids:iface-id`. */
  readonly id: string;
  readonly vpcId: string;
  readonly vni: number;
  readonly mac: string;
  readonly ips: readonly string[];
  readonly adminStateUp: boolean;
  /** False: the VM may send from any address. */
  readonly portSecurityEnabled: boolean;
  readonly allowedAddressPairs?: readonly AllowedAddressPair[];
  readonly revision: number;
}

/** A port on another host that the ports of this one may speak with. */
export interface Neighbor {
  readonly id: string;
  readonly vpcId: string;
  readonly vni: number;
  readonly mac: string;
  readonly ips: readonly string[];
  /** Underlay address of the host that has it. */
  readonly hostIp: string;
  readonly revision: number;
}

export interface ResourceOutcome {
  readonly resourceId: string;
  readonly status: 'ok' | 'unplugged' | 'failed';
  /** Why, when not ok: the switch's own words where it has any. */
  readonly reason: string;
}
