import { expect, it } from 'vitest';
import { DialPolicy } from '../../../plugin/signalling/addresses/dial-policy.js';

const rows: [name: string, options: ConstructorParameters<typeof DialPolicy>[0], uri: string, allowed: boolean][] = [
  ['without a list everybody', {}, 'sip:bob@anywhere.example', true],
  ['who is on the list', { allow: ['*@example.com'] }, 'sip:bob@example.com', true],
  ['whatever the case of the host', { allow: ['*@example.com'] }, 'sip:bob@EXAMPLE.com', true],
  [
    'whatever port, parameters and headers',
    { allow: ['*@example.com'] },
    'sip:bob@example.com:5070;x=1?Subject=a',
    true,
  ],
  ['not who is elsewhere', { allow: ['*@example.com'] }, 'sip:bob@example.org', false],
  ['not who has the domain in a longer one', { allow: ['*@example.com'] }, 'sip:bob@example.com.evil.example', false],
  ['not who has it in the user part', { allow: ['*@example.com'] }, 'sip:bob%40example.com@evil.example', false],
  ['not who has it in a parameter', { allow: ['*@example.com'] }, 'sip:bob@evil.example;x=@example.com', false],
  ['a dot is a dot', { allow: ['*@example.com'] }, 'sip:bob@exampleXcom', false],
  ['numbers by their beginning', { allow: ['+49*@*'] }, 'sip:+4930123@192.0.2.1', true],
  ['other numbers not', { allow: ['+49*@*'] }, 'sip:+4430123@192.0.2.1', false],
  ['an IPv6 host', { allow: ['*@[2001:db8::1]'] }, 'sip:bob@[2001:db8::1]:5060', true],
  ['a host without a user', { allow: ['*@host.example'] }, 'sip:host.example', true],
  ['everybody but', { deny: ['*@evil.example'] }, 'sip:bob@evil.example', false],
  ['a denial wins', { allow: ['*'], deny: ['0900*@*'] }, 'sip:09001@example.com', false],
  ['a number with separators is the number', { deny: ['0900*@*'] }, 'sip:09-00.1(23)@example.com', false],
  ['separators are left out of numbers only', { deny: ['bobsmith@*'] }, 'sip:bob-smith@example.com', true],
  ['an escaped number is the number', { deny: ['0900*@*'] }, 'sip:%30%39001@example.com', false],
  [
    'a password or a parameter behind the user is not part of it',
    { allow: ['bob@*'] },
    'sip:bob:secret@example.com',
    true,
  ],
];

it.each(rows)('%s: %o %s', (_name, options, uri, allowed) => {
  expect(new DialPolicy(options).allows(uri)).toBe(allowed);
});
