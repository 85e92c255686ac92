import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActiveClock } from './active-clock.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function clockOf(activeMs: number, deadlineMs: number) {
  const end = jest.fn();
  const limits = { activeUntil: Date.now() + activeMs, deadlineAt: Date.now() + deadlineMs };
  return { end, clock: new ActiveClock(limits, end) };
}

describe('ActiveClock', () => {
  it('ends when the upstream took its time', () => {
    const { end, clock } = clockOf(100, 1_000);
    jest.advanceTimersByTime(60);
    expect(clock.remainingMs).toBe(40);
    jest.advanceTimersByTime(40);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('stands still while a question is open', () => {
    const { end, clock } = clockOf(100, 1_000);
    jest.advanceTimersByTime(50);
    clock.pause();
    jest.advanceTimersByTime(500);
    expect(clock.remainingMs).toBe(50);
    clock.resume();
    jest.advanceTimersByTime(49);
    expect(end).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('ends at the deadline, whatever is asked', () => {
    const { end, clock } = clockOf(100, 300);
    clock.pause();
    jest.advanceTimersByTime(299);
    expect(end).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('says nothing once it is stopped', () => {
    const { end, clock } = clockOf(100, 300);
    clock.pause();
    clock.stop();
    clock.resume();
    jest.advanceTimersByTime(1_000);
    expect(end).not.toHaveBeenCalled();
  });
});
