import { relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import manifest from '../../package.json';

/** An exported name, a type that one of them uses, or a member of either. */
export interface PublicSymbol {
  /** Such as `KiketVerifyOptions.limit`. */
  readonly name: string;
  /** Without the comment's delimiters; empty without a doc comment. */
  readonly comment: string;
  readonly tags: readonly string[];
  /** The file that declares it, such as `lib/middleware/verify.ts`. */
  readonly file: string;
  /** True when an entry point exports the name itself. */
  readonly isExported: boolean;
  readonly isInterface: boolean;
}

const root = resolve(__dirname, '../..');

/**
 * Every name that the entry points export, the types in `lib/` to which their declarations lead, and the members of
 * all these, also those of object types within them. Each is named once. `@internal` ones are left out.
 */
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
  const exported = new Map(
    entries
      .map((entry) => checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)
      .flatMap((module) => checker.getExportsOfModule(module))
      .map((symbol) => [declared(symbol), symbol.getName()]),
  );
  const found = new Map<ts.Symbol, PublicSymbol>();
  for (const [symbol, name] of exported) visit(symbol, name);
  return [...found.values()];

  /** Returns the symbol behind an import or an export. */
  function declared(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  /** Adds a symbol, then all that its declarations name. */
  function visit(symbol: ts.Symbol, name: string): void {
    const declarations = (symbol.declarations ?? []).filter(isOurs);
    const tags = symbol.getJsDocTags(checker).map((tag) => tag.name);
    if (found.has(symbol) || declarations.length === 0 || tags.includes('internal')) return;
    found.set(symbol, {
      name,
      comment: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
      tags,
      file: relative(root, declarations[0]!.getSourceFile().fileName).replaceAll(sep, '/'),
      isExported: exported.has(symbol),
      isInterface: (symbol.flags & ts.SymbolFlags.Interface) !== 0,
    });
    for (const declaration of declarations) ts.forEachChild(declaration, (child) => walk(child, name));
  }

  /** Goes through the types of a declaration. */
  function walk(node: ts.Node, owner: string): void {
    if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return;
    // The bodies of functions, initial values, and doc comments are not part of a declaration.
    if (ts.isBlock(node) || ts.isJSDoc(node) || (ts.isExpression(node) && !ts.isExpressionWithTypeArguments(node)))
      return;
    if (isMember(node)) {
      const symbol = isPublic(node) ? checker.getSymbolAtLocation(node.name) : undefined;
      if (symbol) visit(symbol, `${owner}.${symbol.getName()}`);
      if (!ts.isParameter(node)) return;
    }
    const reference = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : undefined;
    const referred = reference && declared(checker.getSymbolAtLocation(reference)!);
    if (referred && !(referred.flags & ts.SymbolFlags.TypeParameter)) {
      visit(referred, exported.get(referred) ?? referred.getName());
    }
    ts.forEachChild(node, (child) => walk(child, owner));
  }
}

type Member = (ts.ClassElement | ts.TypeElement | ts.ParameterDeclaration) & { readonly name: ts.Node };

function isMember(node: ts.Node): node is Member {
  if (ts.isParameter(node)) return ts.isParameterPropertyDeclaration(node, node.parent);
  return (ts.isClassElement(node) || ts.isTypeElement(node)) && node.name !== undefined;
}

function isPublic({ name }: Member): boolean {
  if (ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name)) return false;
  const modifiers = ts.canHaveModifiers(name.parent) ? (ts.getModifiers(name.parent) ?? []) : [];
  return !modifiers.some(
    ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword,
  );
}

/** True for a declaration in `lib/`. */
function isOurs(declaration: ts.Declaration): boolean {
  return declaration.getSourceFile().fileName.startsWith(resolve(root, 'lib').replaceAll(sep, '/') + '/');
}
