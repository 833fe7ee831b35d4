/** Lets Jest load PGlite, which loads Node's modules with `import()`. One of its functions has a `require` of its own. */
module.exports.process = (source) => ({
  code: `const importModule = async (name) => require(name);${source.replaceAll('import(', 'importModule(')}`,
});
