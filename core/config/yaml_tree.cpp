#include "core/config/yaml_tree.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "core/config/yaml_text.h"

namespace stepper::config {
namespace {

constexpr size_t kMaxDepth = 32;
// Bytes of tree, counted roughly, that one document may grow to. Also what an anchor bomb runs into.
constexpr size_t kMaxTreeBytes = 16u << 20;
constexpr size_t kNodeBytes = 64;

// Ends the parse; never leaves this file.
struct Stop {
    YAML::Mark mark;
    std::string what;
};

size_t treeBytes(const Node& n) {
    size_t total = kNodeBytes + n.text.size();
    for (const Node& item : n.items) total += treeBytes(item);
    for (const Entry& e : n.entries) total += e.key.size() + treeBytes(e.value);
    return total;
}

// Replaces `<<: mapping` and `<<: [mapping, ...]`: own keys win, then the earlier mapping.
// Returns false when a merge key holds anything else.
bool applyMergeKeys(Node& mapping) {
    std::vector<Entry> own;
    std::vector<Node> merged;
    for (Entry& e : mapping.entries) {
        if (e.key != "<<")
            own.push_back(std::move(e));
        else if (e.value.kind == Node::Kind::Sequence)
            std::move(e.value.items.begin(), e.value.items.end(), std::back_inserter(merged));
        else
            merged.push_back(std::move(e.value));
    }
    mapping.entries = std::move(own);
    if (merged.empty()) return true;
    std::set<std::string> keys;
    for (const Entry& e : mapping.entries) keys.insert(e.key);
    for (Node& source : merged) {
        if (!source.isMapping()) return false;
        for (Entry& e : source.entries)
            if (keys.insert(e.key).second) mapping.entries.push_back(std::move(e));
    }
    return true;
}

class Builder final : public YAML::EventHandler {
public:
    Builder(const std::string& text, const std::string& file) : text_(text), file_(file) {}

    Node take() { return std::move(root_); }
    Mark place(const YAML::Mark& m) const { return {file_, m.line + 1, m.column + 1}; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) throw Stop{mark, "a second document starts here; a file holds one"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node n;
        // The parser is past an absent value already: its key is the better place.
        n.mark = expectsValue() ? open_.back().key->mark : place(mark);
        add(mark, anchor, std::move(n));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        checkTag(mark, tag);
        Node n;
        n.kind = Node::Kind::Scalar;
        n.mark = place(mark);
        n.text = unmaskReferences(value);
        n.quoted = tag != "?";
        if (n.quoted && hasOpenQuote(text_, static_cast<size_t>(mark.pos)))
            throw Stop{mark, "this quote is never closed"};
        add(mark, anchor, std::move(n));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto it = anchors_.find(anchor);
        if (it == anchors_.end()) throw Stop{mark, "an alias inside the value it stands for"};
        charge(mark, it->second.bytes);
        add(mark, YAML::NullAnchor, it->second.node);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::Sequence);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::Mapping);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override {
        if (!applyMergeKeys(open_.back().node))
            throw Stop{open_.back().start, "a merge key (<<) takes a mapping or a list of mappings"};
        close();
    }

private:
    struct Open {
        Node node;
        YAML::anchor_t anchor;
        YAML::Mark start;
        std::optional<Entry> key;  // read, its value not yet
    };
    struct Anchored {
        Node node;
        size_t bytes;
    };

    bool expectsValue() const { return !open_.empty() && open_.back().key.has_value(); }

    void checkTag(const YAML::Mark& mark, const std::string& tag) {
        if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str")
            throw Stop{mark, "tags such as !name have no meaning here; put quotes around a text"};
    }

    void charge(const YAML::Mark& mark, size_t bytes) {
        bytes_ += bytes;
        if (bytes_ > kMaxTreeBytes)
            throw Stop{mark, "holds too much, counting what an alias stands for each time it is used"};
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        checkTag(mark, tag);
        if (open_.size() >= kMaxDepth)
            throw Stop{mark, fmt::format("nested deeper than {} levels", kMaxDepth)};
        Node n;
        n.kind = kind;
        n.mark = place(mark);
        open_.push_back({std::move(n), anchor, mark, std::nullopt});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(done.start, done.anchor, std::move(done.node));
    }

    void add(const YAML::Mark& mark, YAML::anchor_t anchor, Node n) {
        charge(mark, kNodeBytes + n.text.size());
        if (anchor != YAML::NullAnchor) {
            const size_t bytes = treeBytes(n);
            charge(mark, bytes);
            anchors_.insert_or_assign(anchor, Anchored{n, bytes});
        }
        if (open_.empty()) {
            root_ = std::move(n);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == Node::Kind::Sequence) {
            parent.node.items.push_back(std::move(n));
        } else if (parent.key) {
            parent.key->value = std::move(n);
            parent.node.entries.push_back(std::move(*parent.key));
            parent.key.reset();
        } else if (n.kind == Node::Kind::Scalar) {
            parent.key = Entry{std::move(n.text), std::move(n.mark), {}};
        } else {
            throw Stop{mark, "a key must be a plain word"};
        }
    }

    const std::string& text_;
    const std::string& file_;
    Node root_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Anchored> anchors_;
    size_t bytes_ = 0;
    int documents_ = 0;
};

void reportRepeatedKeys(const Node& node, const std::string& path, Problems& problems) {
    std::map<std::string_view, const Mark*> seen;
    for (const Entry& e : node.entries) {
        const std::string key_path = path.empty() ? e.key : path + "." + e.key;
        const auto [it, is_new] = seen.try_emplace(e.key, &e.mark);
        if (!is_new)
            problems.add(e.mark, key_path, fmt::format("this key is already on line {}", it->second->line));
        reportRepeatedKeys(e.value, key_path, problems);
    }
    for (size_t i = 0; i < node.items.size(); ++i)
        reportRepeatedKeys(node.items[i], fmt::format("{}[{}]", path, i), problems);
}

Mark markAt(std::string_view text, size_t offset, const std::string& file) {
    const std::string_view before = text.substr(0, offset);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 == 0: the first line
    return {file, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
            static_cast<int>(offset - line_start) + 1};
}

}  // namespace

std::optional<Node> parseYaml(const std::string& written, const std::string& file, Problems& problems) {
    if (const auto bad = checkText(written)) {
        problems.add(markAt(written, bad->offset, file), "", bad->what);
        return std::nullopt;
    }
    const std::string text = plainText(written);
    Builder builder(text, file);
    try {
        std::istringstream in(maskReferences(text));
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Stop& stop) {
        problems.add(builder.place(stop.mark), "", stop.what);
        return std::nullopt;
    } catch (const YAML::Exception& e) {
        const auto place = static_cast<size_t>(std::max(e.mark.pos, 0));
        if (const auto tab = indentTab(text, place))
            problems.add(markAt(text, *tab, file), "", "indented with a tab; use spaces");
        else
            problems.add(builder.place(e.mark), "", "not valid YAML: " + e.msg);
        return std::nullopt;
    }
    Node root = builder.take();
    if (root.kind == Node::Kind::Null) {
        problems.add({file, 1, 1}, "", "the file has no content");
        return std::nullopt;
    }
    reportRepeatedKeys(root, "", problems);
    return root;
}

}  // namespace stepper::config
