// What an element is called, and the attributes that make it look, sound and fill in as it does, are
// judged in browsers: a document without a browser cannot tell.
import { PluginKind, declareValuePlugin } from "@stryker-mutator/api/plugin";

const MAKERS = ["h", "input"];

/** The name of what a call calls: `h` of `h()`, `input` of `stage.input()`. */
const called = ({ callee }) => callee.name ?? callee.property?.name;

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, "attributes", {
    shouldIgnore(path) {
      if (!path.isStringLiteral()) return undefined;
      const call = path.findParent((parent) => parent.isCallExpression());
      return call && MAKERS.includes(called(call.node)) ? "An attribute, judged in browsers" : undefined;
    },
  }),
];
