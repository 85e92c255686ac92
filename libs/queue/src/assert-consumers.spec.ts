import { describe, expect, it } from '@jest/globals';
import { queues, stdioQueue } from '@switchyard/contracts';
import { assertConsumers } from './assert-consumers.js';

const ofBroker = Object.values(queues).filter(({ consumer }) => consumer === 'token-broker');
const [first, ...rest] = ofBroker;

describe('assertConsumers', () => {
  it('accepts one handler for each queue of the app', () => {
    expect(() => assertConsumers('token-broker', ofBroker)).not.toThrow();
  });

  it('refuses a queue without a handler, with two, and of another app, and names it', () => {
    expect(() => assertConsumers('token-broker', rest)).toThrow(`${first?.name} has no handler`);
    expect(() => assertConsumers('token-broker', [...ofBroker, ...ofBroker])).toThrow(
      `${first?.name} has two handlers`,
    );
    expect(() => assertConsumers('token-broker', [...ofBroker, queues.catalogSync])).toThrow(
      'catalog-sync belongs to',
    );
  });

  it('does not ask dispatch for queues of stdio children, and accepts them', () => {
    const ofDispatch = Object.values(queues).filter(({ consumer }) => consumer === 'dispatch');
    expect(() => assertConsumers('dispatch', ofDispatch)).not.toThrow();
    expect(() =>
      assertConsumers('dispatch', [...ofDispatch, stdioQueue('00000000-0000-4000-8000-000000000001')]),
    ).not.toThrow();
  });
});
