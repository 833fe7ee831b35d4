import ts from 'typescript';

/** One import or re-export of a module, or one call of `require`, as it stands in a source. */
export interface Import {
  readonly from: string;
  /** A file of the same sources without `.ts`, or the name of a package. */
  readonly target: string;
  readonly isLocal: boolean;
  /** True when it is erased from the JavaScript. */
  readonly typeOnly: boolean;
  /** True when it runs when a function is called, not when the module is loaded. */
  readonly lazy: boolean;
}

/** Sources by path, such as `middleware/verify`. */
export type Sources = ReadonlyMap<string, string>;

export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) => {
    const file = ts.createSourceFile(`${from}.ts`, text, ts.ScriptTarget.Latest, true);
    const found: Import[] = [];
    visit(file, false);
    return found;

    function visit(node: ts.Node, lazy: boolean): void {
      const module = moduleOf(node);
      if (module !== undefined) found.push({ from, ...locate(from, module), typeOnly: isTypeOnly(node), lazy });
      ts.forEachChild(node, (child) => visit(child, lazy || ts.isFunctionLike(node)));
    }
  });
}

function moduleOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  if (ts.isExternalModuleReference(node)) return textOf(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');
  return loads ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) {
    const { exportClause } = node;
    return node.isTypeOnly || (exportClause !== undefined && allTypes(exportClause));
  }
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return false;
  const { phaseModifier, name, namedBindings } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return name === undefined && namedBindings !== undefined && allTypes(namedBindings);
}

function allTypes(bindings: ts.NamedImportBindings | ts.NamedExportBindings): boolean {
  if (!ts.isNamedImports(bindings) && !ts.isNamedExports(bindings)) return false;
  return [...bindings.elements].every((element: ts.ImportSpecifier | ts.ExportSpecifier) => element.isTypeOnly);
}

function locate(from: string, module: string): Pick<Import, 'target' | 'isLocal'> {
  if (!module.startsWith('.')) return { target: module, isLocal: false };
  const { pathname } = new URL(module, `file:///${from}`);
  return { target: pathname.slice(1), isLocal: true };
}

/** The chains of files that import one another, types included: each once, from its first file back to it. */
export function cyclesOf(imports: readonly Import[]): string[] {
  const local = imports.filter(({ isLocal }) => isLocal);
  const targets = new Map<string, string[]>();
  const importers = new Map<string, string[]>();
  for (const { from, target } of local) {
    targets.set(from, [...(targets.get(from) ?? []), target]);
    importers.set(target, [...(importers.get(target) ?? []), from]);
  }
  const cycles = new Set<string>();
  for (const first of targets.keys()) follow([first], leadingTo(first));
  return [...cycles];

  /** Without those that do not lead back, there would be more paths than can be walked. */
  function follow(path: readonly string[], leadBack: ReadonlySet<string>): void {
    for (const target of targets.get(path.at(-1)!) ?? []) {
      // Starts with its first file in the alphabet, so that each circle is found once.
      if (target === path[0]) cycles.add([...path, target].join(' → '));
      else if (target > path[0]! && leadBack.has(target) && !path.includes(target)) follow([...path, target], leadBack);
    }
  }

  function leadingTo(file: string): ReadonlySet<string> {
    const found = new Set([file]);
    for (const each of found) for (const from of importers.get(each) ?? []) found.add(from);
    return found;
  }
}
