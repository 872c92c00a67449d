// A third verifier of the trail, of its checkpoints and proofs: golang.org/x/mod's sumdb/note and sumdb/tlog do all that
// is theirs. usage: trail_verifier VKEY KIND FILE [KIND FILE...], KIND being trail, checkpoint or proof. For each file
// it prints a line, empty when all holds, else with the first place that does not.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type entry struct {
	Index    int64   `json:"index"`
	Time     string  `json:"time"`
	Kind     *string `json:"kind"`
	Who      *string `json:"who"`
	What     *string `json:"what"`
	Consent  *string `json:"consent"`
	LeafHash string  `json:"leaf_hash"`
	Salt     *string `json:"salt"`
}

type trail struct {
	Entries    []entry `json:"entries"`
	Checkpoint string  `json:"checkpoint"`
	Vkey       string  `json:"vkey"`
	Next       *string `json:"next"`
}

// The content of a line, in the order of RFC 8785.
type content struct {
	Consent *string `json:"consent"`
	Kind    string  `json:"kind"`
	Time    string  `json:"time"`
	What    string  `json:"what"`
	Who     string  `json:"who"`
}

type beside struct {
	Content  string `json:"content"`
	Salt     string `json:"salt"`
	LeafHash string `json:"leaf_hash"`
}

func leafOf(text []byte, salt string) (tlog.Hash, bool) {
	key, err := base64.StdEncoding.Strict().DecodeString(salt)
	if err != nil {
		return tlog.Hash{}, false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return tlog.RecordHash(mac.Sum(nil)), true
}

func checkpoint(text string, verifier note.Verifier) (tlog.Tree, bool) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, false
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, false
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err == nil
}

func proof(text string, verifier note.Verifier) string {
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 3 || !strings.HasPrefix(lines[1], "extra ") ||
		!strings.HasPrefix(lines[2], "index ") {
		return "proof"
	}
	index, err := strconv.ParseInt(lines[2][6:], 10, 64)
	if err != nil || strconv.FormatInt(index, 10) != lines[2][6:] {
		return "proof"
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return "proof"
		}
		path = append(path, hash)
	}
	tree, ok := checkpoint(signed, verifier)
	if !ok {
		return "checkpoint"
	}
	var b beside
	plain, err := base64.StdEncoding.DecodeString(lines[1][6:])
	if err != nil || json.Unmarshal(plain, &b) != nil {
		return "proof"
	}
	leaf, ok := leafOf([]byte(b.Content), b.Salt)
	if b.Content == "" {
		leaf, err = tlog.ParseHash(b.LeafHash)
		ok = err == nil
	}
	if !ok || tlog.CheckRecord(path, tree.N, tree.Hash, index, leaf) != nil {
		return "proof"
	}
	return ""
}

func lineHolds(e entry, index int64, before string, leaf tlog.Hash) bool {
	if e.Index != index || e.Time < before {
		return false
	}
	if e.Salt == nil {
		return e.Kind == nil && e.Who == nil && e.What == nil && e.Consent == nil
	}
	if e.Kind == nil || e.Who == nil || e.What == nil {
		return false
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(content{e.Consent, *e.Kind, e.Time, *e.What, *e.Who}) != nil {
		return false
	}
	wanted, ok := leafOf(bytes.TrimSuffix(text.Bytes(), []byte("\n")), *e.Salt)
	return ok && wanted == leaf
}

func whole(text []byte, verifier note.Verifier) string {
	var t trail
	if json.Unmarshal(text, &t) != nil {
		return "file"
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	before := ""
	for i, e := range t.Entries {
		leaf, err := tlog.ParseHash(e.LeafHash)
		if err != nil || !lineHolds(e, int64(i), before, leaf) {
			return fmt.Sprintf("entry %d", i)
		}
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, reader)
		if err != nil {
			return "file"
		}
		stored = append(stored, hashes...)
		before = e.Time
	}
	if t.Next != nil {
		return "next"
	}
	tree, ok := checkpoint(t.Checkpoint, verifier)
	if !ok || tree.N != int64(len(t.Entries)) {
		return "checkpoint"
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		return "checkpoint"
	}
	return ""
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 2; i+1 < len(os.Args); i += 2 {
		text, err := os.ReadFile(os.Args[i+1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		switch os.Args[i] {
		case "trail":
			fmt.Println(whole(text, verifier))
		case "proof":
			fmt.Println(proof(string(text), verifier))
		default:
			if _, ok := checkpoint(string(text), verifier); ok {
				fmt.Println()
			} else {
				fmt.Println("checkpoint")
			}
		}
	}
}
