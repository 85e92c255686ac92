import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActiveClock } from './active-clock.js';

describe('ActiveClock', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('counts only while it runs', () => {
    const over = jest.fn();
    const clock = new ActiveClock(1_000, over);
    jest.advanceTimersByTime(600);
    clock.run(false);
    clock.run(false);
    jest.advanceTimersByTime(600_000);
    expect(over).not.toHaveBeenCalled();
    clock.run(true);
    clock.run(true);
    jest.advanceTimersByTime(399);
    expect(over).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(over).toHaveBeenCalledTimes(1);
  });

  it('is silent once stopped', () => {
    const [over, stopped] = [jest.fn(), jest.fn()];
    const clock = new ActiveClock(1_000, over);
    clock.onStop(stopped);
    clock.stop();
    clock.stop();
    jest.advanceTimersByTime(2_000);
    expect(over).not.toHaveBeenCalled();
    expect(stopped).toHaveBeenCalledTimes(1);
  });
});
