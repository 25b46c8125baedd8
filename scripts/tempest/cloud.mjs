// A client of Keystone's and Neutron's APIs: as much as it takes to prepare a cloud for tempest.

/** An administrator's session, with a token for the admin project. */
export async function login(identityUrl, password) {
  const scope = { project: { name: 'admin', domain: { id: 'default' } } };
  const user = { name: 'admin', domain: { id: 'default' }, password };
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } };
  const { headers, json } = await request('POST', `${identityUrl}/auth/tokens`, body);
  return { identityUrl, token: headers.get('x-subject-token'), catalog: json.token.catalog ?? [] };
}

/** One call with the session's token; the body of the answer. Anything but 2xx throws. */
export async function call({ token }, method, url, body) {
  return (await request(method, url, body, token)).json;
}

async function request(method, url, body, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { 'x-auth-token': token } : {}) };
  const response = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 500)}`);
  return { headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

/** Enters the network service in Keystone's catalogue, with the user as which it asks Keystone about tokens. */
export async function registerNetworkService(session, { region, networkUrl, servicePassword }) {
  const identity = (method, path, body) => call(session, method, `${session.identityUrl}${path}`, body);
  const { service } = await identity('POST', '/services', { service: { type: 'network', name: 'neutron' } });
  for (const which of ['public', 'internal', 'admin']) {
    const endpoint = { service_id: service.id, interface: which, region_id: region, url: networkUrl };
    await identity('POST', '/endpoints', { endpoint });
  }
  const { project } = await identity('POST', '/projects', { project: { name: 'service', domain_id: 'default' } });
  const user = { name: 'neutron', domain_id: 'default', password: servicePassword };
  const { user: neutron } = await identity('POST', '/users', { user });
  const { roles } = await identity('GET', '/roles');
  for (const { id } of roles.filter(({ name }) => name === 'admin' || name === 'service')) {
    await identity('PUT', `/projects/${project.id}/users/${neutron.id}/roles/${id}`);
  }
}

/** The aliases that the server says it has. */
export async function extensionAliases(session, networkUrl) {
  const { extensions } = await call(session, 'GET', `${networkUrl}/v2.0/extensions`);
  return extensions.map(({ alias }) => alias).sort();
}

/**
 * The external network that tempest takes floating addresses from. Its ranges lie outside those that tempest gives its own
 * subnets, so that routers can have both.
 */
export async function createExternalNetwork(session, networkUrl) {
  const create = (kind, body) => call(session, 'POST', `${networkUrl}/v2.0/${kind}s`, { [kind]: body });
  const { network } = await create('network', { name: 'public', 'router:external': true });
  const base = { network_id: network.id, enable_dhcp: false };
  await create('subnet', { ...base, name: 'public-v4', ip_version: 4, cidr: '172.24.4.0/22' });
  await create('subnet', { ...base, name: 'public-v6', ip_version: 6, cidr: '2001:db8:ff::/64' });
  return network;
}

/** Pools that auto-allocated topologies take their subnets from, and registered hosts, each of which has an agent (that nobody starts). */
export async function furnish(session, networkUrl) {
  const create = (body) => call(session, 'POST', `${networkUrl}/v2.0/subnetpools`, { subnetpool: body });
  const base = { shared: true, is_default: true };
  await create({ ...base, name: 'default-v4', prefixes: ['10.64.0.0/16'], default_prefixlen: 26 });
  await create({ ...base, name: 'default-v6', prefixes: ['fd5a:1c0:64::/48'], default_prefixlen: 64 });
  const nodes = ['host-1', 'host-2'].map((id, index) => ({
    id,
    ip: `192.0.2.${index + 1}`,
    agent_address: `192.0.2.${index + 1}:50001`,
  }));
  await call(session, 'POST', `${networkUrl}/alcor/v1/nodes`, { nodes });
}
