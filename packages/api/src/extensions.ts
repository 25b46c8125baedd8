/** An extension of Neutron's API that this server has, as clients look it up. */
export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  readonly updated: string;
  readonly links: readonly never[];
}

/**
 * The extensions that are implemented whole. Clients decide by this list what they may ask for, so an alias stands here only when
 * all that it promises is true.
 */
export const extensions: readonly Extension[] = [
  extension('address-scope', 'Address scope', 'Where addresses are unique', '2015-07-26T10:00:00-00:00'),
  extension(
    'auto-allocated-topology',
    'Auto Allocated Topology Services',
    'A network with router and uplink, made on demand',
    '2016-01-01T00:00:00-00:00',
  ),
  extension('binding', 'Port Binding', 'Host and kind of attachment of a port', '2014-02-03T10:00:00-00:00'),
  extension('default-subnetpools', 'Default Subnetpools', 'A default subnet pool', '2016-02-18T18:00:00-00:00'),
  extension(
    'empty-string-filtering',
    'Empty String Filtering Extension',
    'An empty value in a filter matches empty attributes',
    '2018-05-01T10:00:00-00:00',
  ),
  extension(
    'filter-validation',
    'Filter parameters validation',
    'A filter by an unknown attribute is refused',
    '2018-03-21T10:00:00-00:00',
  ),
  extension(
    'ip-substring-filtering',
    'IP address substring filtering',
    'Ports by a part of an address',
    '2017-11-28T09:00:00-00:00',
  ),
  extension('net-mtu', 'Network MTU', 'MTU of a network', '2015-03-25T10:00:00-00:00'),
  extension(
    'net-mtu-writable',
    'Network MTU (writable)',
    'MTU of a network, chosen by the user',
    '2017-07-12T00:00:00-00:00',
  ),
  extension(
    'pagination',
    'Pagination support',
    'Lists in pages: limit, marker and page_reverse',
    '2016-06-12T00:00:00-00:00',
  ),
  extension(
    'port-security',
    'Port Security',
    'Check of the addresses that a port sends from',
    '2012-07-23T10:00:00-00:00',
  ),
  extension('project-id', 'project_id field enabled', 'project_id besides tenant_id', '2016-09-09T09:09:09-09:09'),
  extension('provider', 'Provider Network', 'How a network is realised', '2012-09-07T10:00:00-00:00'),
  extension(
    'revision-if-match',
    'If-Match constraints based on revision_number',
    'If-Match makes a write conditional on the revision',
    '2016-12-11T00:00:00-00:00',
  ),
  extension('quotas', 'Quota management support', 'How many resources a project may have', '2012-07-29T10:00:00-00:00'),
  extension(
    'quota_details',
    'Quota details management support',
    'How many of them there are',
    '2017-02-10T10:00:00-00:00',
  ),
  extension(
    'rbac-policies',
    'RBAC Policies',
    'Grants to use a network of another project',
    '2015-06-17T12:15:12-00:00',
  ),
  extension('sorting', 'Sorting support', 'Lists in the order of sort_key and sort_dir', '2016-06-12T00:00:00-00:00'),
  extension(
    'standard-attr-description',
    'standard-attr-description',
    'Descriptions of resources',
    '2016-02-10T10:00:00-00:00',
  ),
  extension('router', 'Neutron L3 Router', 'Routers and floating IPs', '2012-07-20T10:00:00-00:00'),
  extension('external-net', 'Neutron external network', 'Networks that lead outside', '2013-01-14T10:00:00-00:00'),
  extension(
    'ext-gw-mode',
    'Neutron L3 Configurable external gateway mode',
    'SNAT of a gateway on or off',
    '2013-03-28T10:00:00-00:00',
  ),
  extension('extraroute', 'Neutron Extra Route', 'Further routes of a router', '2013-02-01T10:00:00-00:00'),
  extension(
    'extraroute-atomic',
    'Atomically add/remove extra routes',
    'Routes of a router added and removed one by one',
    '2019-07-10T00:00:00-00:00',
  ),
  extension('dvr', 'Distributed Virtual Router', 'Routers that are on every host', '2014-06-01T10:00:00-00:00'),
  extension('l3-ha', 'HA Router extension', 'Routers with a second instance', '2014-04-26T00:00:00-00:00'),
  extension(
    'router-admin-state-down-before-update',
    "Enforce Router's Admin State Down Before Update Extension",
    'How a router is realised changes only while it is down',
    '2019-05-30T00:00:00-00:00',
  ),
  extension(
    'fip-port-details',
    'Floating IP Port Details Extension',
    'port_details of a floating IP',
    '2018-04-09T10:00:00-00:00',
  ),
  extension(
    'floatingip-pools',
    'Floating IP Pools Extension',
    'The subnets that floating IPs can be had of',
    '2018-03-21T10:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding',
    'Floating IP Port Forwarding',
    'Ports of a floating IP lead to ports of guests',
    '2018-01-19T10:00:00-00:00',
  ),
  extension(
    'expose-port-forwarding-in-fip',
    'Expose Port Forwarding In FIP',
    'port_forwardings of a floating IP',
    '2018-12-08T00:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-description',
    'Floating IP Port Forwarding new field description',
    'Descriptions of port forwardings',
    '2019-11-01T00:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-detail',
    'Floating IP Port Forwarding Details',
    'port_forwardings of a floating IP with id and internal_port_id',
    '2021-11-01T00:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-port-ranges',
    'Floating IP Port Forwarding support Port Ranges',
    'Ranges of ports are forwarded',
    '2021-08-01T00:00:00-00:00',
  ),
  extension(
    'standard-attr-revisions',
    'Resource revision numbers',
    'revision_number grows with every change',
    '2016-04-11T10:00:00-00:00',
  ),
  extension(
    'network-ip-availability',
    'Network IP Availability',
    'How many addresses of networks and subnets are used',
    '2015-09-24T00:00:00-00:00',
  ),
  extension(
    'extra_dhcp_opt',
    'Neutron Extra DHCP options',
    'What DHCP tells the guest of one port',
    '2013-03-17T12:00:00-00:00',
  ),
  extension(
    'port-mac-address-regenerate',
    'Neutron Port MAC address regenerate',
    'A new MAC for a port on demand',
    '2018-05-03T10:00:00-00:00',
  ),
  extension(
    'subnet-service-types',
    'Subnet service types',
    'Subnets for ports of some device owners',
    '2016-03-15T18:00:00-00:00',
  ),
  extension('subnet_allocation', 'Subnet Allocation', 'Subnets out of subnet pools', '2015-03-30T10:00:00-00:00'),
  extension('subnet_onboard', 'Subnet Onboard', 'Existing subnets taken into a pool', '2019-03-01T00:00:00-00:00'),
  extension(
    'subnetpool-prefix-ops',
    'Subnet Pool Prefix Operations',
    'Prefixes of a pool added and removed one by one',
    '2019-02-08T10:00:00-00:00',
  ),
  extension('security-group', 'security-group', 'Security groups and their rules', '2012-10-05T10:00:00-00:00'),
  extension(
    'allowed-address-pairs',
    'Allowed Address Pairs',
    'Further addresses that a port may send from',
    '2013-07-23T10:00:00-00:00',
  ),
  extension('address-group', 'Address group', 'Addresses under one name', '2020-07-15T10:00:00-00:00'),
  extension(
    'stateful-security-group',
    'Stateful security group',
    'Whether answers to what a group lets through pass as well',
    '2019-11-26T09:00:00-00:00',
  ),
  extension(
    'security-groups-normalized-cidr',
    'Normalized CIDR field for security group rules',
    'The block of a rule’s remote_ip_prefix',
    '2020-07-07T00:00:00-00:00',
  ),
  extension(
    'security-groups-remote-address-group',
    'Remote address group id field for security group rules',
    'Rules that mean an address group',
    '2020-08-25T00:00:00-00:00',
  ),
  extension(
    'security-groups-shared-filtering',
    'Security group filtering on the shared field',
    'Security groups can be listed by shared',
    '2021-10-05T09:00:00-00:00',
  ),
  extension(
    'security-groups-default-rules',
    'Default rules for security groups',
    'The rules that new security groups begin with',
    '2022-12-19T10:00:00-00:00',
  ),
  extension(
    'security-groups-rules-belongs-to-default-sg',
    'Security group rules belong to default security group',
    'Whether a rule’s group is a project’s default one',
    '2022-09-05T10:00:00-00:00',
  ),
  extension(
    'port-security-groups-filtering',
    'Port filtering on security groups',
    'Ports can be listed by their security groups',
    '2018-01-09T09:00:00-00:00',
  ),
  extension(
    'rbac-security-groups',
    'Add security_group type to network RBAC',
    'Grants to use security groups',
    '2018-06-12T12:00:00-00:00',
  ),
  extension(
    'rbac-address-group',
    'Add address_group type to RBAC',
    'Grants to use address groups',
    '2021-06-24T10:00:00-00:00',
  ),
  extension(
    'rbac-subnetpool',
    'Add subnetpool type to RBAC',
    'Grants to take subnets out of subnet pools',
    '2020-02-05T00:00:00-00:00',
  ),
  extension(
    'rbac-address-scope',
    'Add address_scope type to RBAC',
    'Grants to have subnet pools in address scopes',
    '2020-02-12T00:00:00-00:00',
  ),
  extension(
    'standard-attr-tag',
    'Tag support for resources with standard attribute',
    'Labels of resources',
    '2017-01-01T00:00:00-00:00',
  ),
  extension(
    'standard-attr-timestamp',
    'Resource timestamps',
    'When resources were made and changed',
    '2016-09-12T10:00:00-00:00',
  ),
  extension('agent', 'agent', 'The agents of the region’s hosts', '2013-02-03T10:00:00-00:00'),
  extension(
    'agent-resources-synced',
    'Agent’s Resource View Synced to Placement',
    'Whether an agent’s resources are known elsewhere',
    '2018-12-19T00:00:00-00:00',
  ),
  extension(
    'availability_zone',
    'Availability Zone',
    'Parts of the region that fail by themselves',
    '2015-01-01T10:00:00-00:00',
  ),
  extension(
    'availability_zone_filter',
    'Availability Zone Filter Extension',
    'Availability zones by name, resource and state',
    '2018-06-22T10:00:00-00:00',
  ),
  extension(
    'flavors',
    'Neutron Service Flavors',
    'Choices of service, and how they are provided',
    '2015-09-17T10:00:00-00:00',
  ),
  extension('metering', 'Neutron Metering', 'Names under which traffic is counted', '2013-06-12T10:00:00-00:00'),
  extension(
    'metering_source_and_destination_fields',
    'Add source and destination IP to metering label rules',
    'What a metering rule counts, by both ends',
    '2020-08-21T08:12:00-00:00',
  ),
  extension('qos', 'Quality of Service', 'Policies with rules of bandwidth and marks', '2015-06-08T10:00:00-00:00'),
  extension(
    'qos-bw-limit-direction',
    'Direction for QoS bandwidth limit rule',
    'Limits of what guests receive',
    '2017-04-10T10:00:00-00:00',
  ),
  extension(
    'qos-bw-minimum-ingress',
    'Ingress direction for QoS minimum bandwidth rule',
    'Promises of what guests receive',
    '2018-07-09T10:00:00-00:00',
  ),
  extension('qos-default', 'QoS default policy', 'A policy for new networks of a project', '2017-04-06T10:00:00-00:00'),
  extension(
    'qos-port-network-policy',
    'QoS port network policy',
    'A port shows the policy of its network',
    '2019-11-11T00:00:00-00:00',
  ),
  extension('qos-pps', 'QoS packet rate limit rule', 'Limits of packets', '2021-06-15T10:00:00-00:00'),
  extension('qos-pps-minimum', 'QoS minimum packet rate rule', 'Promises of packets', '2021-07-08T00:00:00-00:00'),
  extension(
    'qos-pps-minimum-rule-alias',
    'QoS minimum packet rate rule alias',
    'Those rules by their own ids',
    '2021-10-25T10:00:00-00:00',
  ),
  extension(
    'qos-rule-type-details',
    'Details of QoS rule types',
    'What hosts do of a type of rule',
    '2017-06-22T10:00:00-00:00',
  ),
  extension(
    'qos-rule-type-filter',
    'QoS rule type filter',
    'Types of rules by whether hosts do them',
    '2022-02-02T10:00:00-00:00',
  ),
  extension('qos-rules-alias', 'Ability to use rule aliases', 'Rules by their own ids', '2018-10-07T10:00:00-00:00'),
  extension('service-type', 'Neutron Service Type Management', 'Who provides services', '2013-01-20T00:00:00-00:00'),
  extension('trunk', 'Trunk Extension', 'Ports that reach several networks', '2016-01-01T10:00:00-00:00'),
  extension(
    'trunk-details',
    'Trunk port details',
    'A port shows the trunk whose parent it is',
    '2016-01-01T10:00:00-00:00',
  ),
];

function extension(alias: string, name: string, description: string, updated: string): Extension {
  return { alias, name, description, updated, links: [] };
}
