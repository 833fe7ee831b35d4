import { readFileSync } from 'node:fs';
import ts from 'typescript';

export interface OptionDoc {
  readonly name: string;
  /** The default in the doc comment; undefined when it names none. */
  readonly defaultValue: string | undefined;
}

/** The members of an options interface, with the defaults that their doc comments name. */
export function optionsOf(file: string, interfaceName: string): OptionDoc[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
  );
  if (found === undefined) throw new Error(`${file} has no interface ${interfaceName}`);
  return found.members.map((member) => ({
    name: member.name!.getText(source),
    defaultValue: /Default `?([^`\s]+?)`?\.(?:\s|\*|$)/.exec(member.getFullText(source))?.[1],
  }));
}
