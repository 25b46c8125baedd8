/** The tables of local IPs, where a guest sends to one and where it is answered: parts of the pipeline (`pipeline.ts`). */
import { arpFields } from './pipeline-fields.ts';
import type { Tables } from './table.ts';

export const localIpQuestions: Tables<'localIp' | 'localIpOpened'> = {
  localIp: {
    id: 11,
    purpose: 'what is for a local IP goes to the port here that stands for it; ARP for it is answered on the host',
    matches: ['metadata', 'reg0', 'eth_type', 'ipv4_dst', ...arpFields],
    writes: ['eth_src', 'eth_dst', ...arpFields, 'reg15'],
    outputs: 'in_port',
    next: ['localIpOpened', 'leavingSubnet'],
    conntrack: 'track',
    miss: 'leavingSubnet',
  },
  localIpOpened: {
    id: 12,
    purpose: "a new connection to a local IP gets the port's own address; those that are known have it already",
    matches: ['metadata', 'eth_type', 'ipv4_dst', 'ct_state', 'ct_mark'],
    writes: [],
    outputs: 'none',
    next: ['leavingSubnet'],
    conntrack: 'commit',
    miss: 'drop',
  },
};

export const localIpAnswers: Tables<'localIpAnswer'> = {
  localIpAnswer: {
    id: 86,
    purpose: 'what a port says that stands for a local IP comes from there, where it was asked there',
    matches: ['reg0', 'eth_type', 'ipv4_src'],
    writes: ['reg15'],
    outputs: 'none',
    next: ['output'],
    conntrack: 'track',
    miss: 'output',
  },
};
