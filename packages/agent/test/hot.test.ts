import "../src/import-meta.ts";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { migrate, type Hot, type HotData } from "../src/index.ts";
import { HotState } from "../src/runtime/hot.ts";

interface Plain {
  readonly total: number;
}
interface Rich {
  readonly total: { readonly cents: number };
}
const second = {
  version: 2,
  up: (old: Partial<Plain>): Rich => ({ total: { cents: old.total ?? 0 } }),
  down: ({ total }: Rich): Plain => ({ total: total.cents }),
};

describe("hooks", () => {
  test("do nothing without an agent: there are none, and nothing to migrate", () => {
    const { hot } = import.meta;
    hot?.dispose((data) => void (data["seen"] = 1));
    assert.equal(hot?.data, undefined);
    assert.deepEqual(migrate<Plain, Rich>(import.meta.hot, second), {});
  });

  test("of another tool keep its data as they are", () => {
    const hot = { data: { total: { cents: 7 } } } as unknown as Hot;
    assert.deepEqual(migrate<Plain, Rich>(hot, second), { total: { cents: 7 } });
  });

  const leaveWith = (state: HotState, put: (data: HotData) => void): void => {
    state.hot.dispose(put);
    state.begin(state.leave());
  };

  test("take data up one way and down the other, whichever text comes next", () => {
    const state = new HotState();
    leaveWith(state, (data) => void (data["total"] = 5));
    assert.deepEqual(migrate<Plain, Rich>(state.hot, second), { total: { cents: 5 } });
    leaveWith(state, () => undefined);
    assert.deepEqual({ ...state.hot.data }, { total: 5 });
  });

  test("give a text of the same version the data as they are", () => {
    const state = new HotState();
    leaveWith(state, (data) => void (data["total"] = 5));
    migrate<Plain, Rich>(state.hot, second);
    leaveWith(state, () => undefined);
    assert.deepEqual(migrate<Plain, Rich>(state.hot, second), { total: { cents: 5 } });
  });

  test("refuse a migration that comes after the data were read, or is not whole", () => {
    const state = new HotState();
    void state.hot.data;
    assert.throws(() => migrate<Plain, Rich>(state.hot, second), /before hot\.data is read/);
    assert.throws(() => migrate(new HotState().hot, { version: 0, up: () => ({}), down: () => ({}) }), /a version from 1/);
  });

  test("leave the former data alone, so that the former text can begin again", () => {
    const state = new HotState();
    leaveWith(state, (data) => void (data["total"] = 5));
    const before = state.hot.data;
    state.hot.dispose((data) => void (data["total"] = 9));
    state.leave();
    assert.deepEqual({ ...before }, { total: 5 });
  });
});
