const { ModuleKind, ScriptTarget, transpileModule } = require('typescript');

/** Lets Jest load a package that has ES modules only. */
module.exports.process = (source) => ({
  code: transpileModule(source, { compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 } })
    .outputText,
});
