// The test suites that can be run: what their tests are called, what they need, and what they are told of the cloud.

/** Where Debian's packages keep their Python modules. */
export const pythonPath = '/usr/lib/python3/dist-packages';

/**
 * A suite: the prefix of its tests' names, the heading in docs/compatibility.md under which its skips stand, classes that workers may share, lines for
 * tempest.conf, and whether the cloud begins with default subnet pools and hosts.
 */
export const suites = {
  tempest: {
    tests: 'tempest.api.network',
    skips: 'Skipped tests',
    /**
     * tempest's own client waits ten seconds whenever it deletes a subnet, so the suite is mostly sleep, and many workers cost
     * little; these classes would sleep for minutes.
     */
    sharedClasses: 'NetworksTestDHCPv6|Networks(IpV6)?Test|Ports(IpV6)?TestJSON|Routers(IpV6)?Test',
    configuration: '',
    furnished: false,
  },
  neutron: {
    tests: 'neutron_tempest_plugin.api',
    skips: 'Skipped tests of the plugin',
    plugin: { package: 'neutron-tempest-plugin', module: 'neutron_tempest_plugin' },
    sharedClasses: '',
    // VXLAN is the only type of network, there are no physical networks to name, and agents are in no single zone.
    configuration: `[neutron_plugin_options]
available_type_drivers = vxlan
provider_vlans =
create_shared_resources = true
`,
    furnished: true,
  },
};
