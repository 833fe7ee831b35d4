import { resolve } from 'node:path';
import ts from 'typescript';
import manifest from '../../package.json';

/** An exported name, or a member of one. */
export interface PublicSymbol {
  /** Such as `KiketVerifyOptions.limit`. */
  readonly name: string;
  /** Without the comment's delimiters; empty without a doc comment. */
  readonly comment: string;
  readonly tags: readonly string[];
}

const root = resolve(__dirname, '../..');

/** Every name that the entry points export, and the members of interfaces and classes, each once. `@internal` ones are left out. */
export function publicSymbols(): PublicSymbol[] {
  const entries = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string'
      ? []
      : [resolve(root, target.types.replace('./dist/', 'lib/').replace(/\.d\.ts$/, '.ts'))],
  );
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, rootDir: '.' }, root);
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const found = new Map<string, PublicSymbol>();

  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!);
    if (module === undefined) throw new Error(`${entry} exports nothing`);
    for (const exported of checker.getExportsOfModule(module)) visit(exported);
  }
  return [...found.values()];

  function visit(exported: ts.Symbol): void {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const name = exported.getName();
    if (!add(name, symbol)) return;
    for (const declaration of symbol.declarations ?? []) {
      if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) continue;
      for (const member of declaration.members) {
        const memberSymbol = member.name && checker.getSymbolAtLocation(member.name);
        if (memberSymbol && isPublic(member)) add(`${name}.${memberSymbol.getName()}`, memberSymbol);
      }
    }
  }

  function add(name: string, symbol: ts.Symbol): boolean {
    const tags = symbol.getJsDocTags(checker).map((tag) => tag.name);
    if (tags.includes('internal')) return false;
    const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    found.set(name, { name, comment, tags });
    return true;
  }
}

function isPublic(member: ts.ClassElement | ts.TypeElement): boolean {
  if (member.name === undefined || ts.isPrivateIdentifier(member.name) || ts.isComputedPropertyName(member.name))
    return false;
  const modifiers = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [];
  return !modifiers.some(
    ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword,
  );
}
