// Writes what java.util.regex finds: every pattern of patterns.txt over every text of texts.txt.
//
//     java tools/java_regex/JavaRegex.java > testdata/java_regex/cases.jsonl
//
// The first line of the output holds the texts. Each line behind it holds a pattern and either "error": true, or
// "found": for each text with a match its number and, for each match, start and end of the match and of every group
// (-1 for none) in UTF-16 code units; and "split": for each text that String.split cuts, its number and the parts.
// Java 8 to 18 agree; Java 19 made \b ASCII.

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

public class JavaRegex {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments.length > 0 ? arguments[0] : "tools/java_regex");
        List<String> patterns = Files.readAllLines(folder.resolve("patterns.txt"));
        List<String> texts = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("texts.txt"))) {
            texts.add(unescape(line));
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.println("{\"texts\":" + texts.stream().map(JavaRegex::quote).collect(Collectors.joining(",", "[", "]")) + "}");
        for (String pattern : patterns) {
            out.println("{\"pattern\":" + quote(pattern) + "," + describe(pattern, texts) + "}");
        }
        out.flush();
    }

    private static String describe(String source, List<String> texts) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(source);
        } catch (PatternSyntaxException error) {
            return "\"error\":true";
        }
        List<String> found = new ArrayList<>();
        List<String> split = new ArrayList<>();
        for (int number = 0; number < texts.size(); number++) {
            String text = texts.get(number);
            List<String> matches = new ArrayList<>();
            Matcher matcher = pattern.matcher(text);
            while (matcher.find()) {
                List<String> offsets = new ArrayList<>();
                for (int group = 0; group <= matcher.groupCount(); group++) {
                    offsets.add(matcher.start(group) + "," + matcher.end(group));
                }
                matches.add("[" + String.join(",", offsets) + "]");
            }
            if (!matches.isEmpty()) {
                found.add("[" + number + "," + String.join(",", matches) + "]");
            }
            String[] parts = text.split(source);
            if (parts.length != 1 || !parts[0].equals(text)) {
                List<String> quoted = new ArrayList<>();
                for (String part : parts) {
                    quoted.add(quote(part));
                }
                split.add("[" + number + ",[" + String.join(",", quoted) + "]]");
            }
        }
        return "\"found\":[" + String.join(",", found) + "],\"split\":[" + String.join(",", split) + "]";
    }

    /** Reads the escapes n, r, t, backslash and uXXXX. */
    private static String unescape(String line) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < line.length(); at++) {
            char c = line.charAt(at);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char kind = line.charAt(++at);
            switch (kind) {
                case 'n': text.append('\n'); break;
                case 'r': text.append('\r'); break;
                case 't': text.append('\t'); break;
                case 'u':
                    text.append((char) Integer.parseInt(line.substring(at + 1, at + 5), 16));
                    at += 4;
                    break;
                default: text.append(kind);
            }
        }
        return text.toString();
    }

    /** As JSON; half a character, which split leaves, becomes U+FFFD. */
    private static String quote(String source) {
        StringBuilder json = new StringBuilder("\"");
        String text = source.replaceAll("\\p{Cs}", "\ufffd");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < 0x20 || c > 0x7e) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
