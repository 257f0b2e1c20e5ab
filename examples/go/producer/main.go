// Sends an image to gmv: go run ./producer localhost:9092 generated-images picture.png
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	content, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	id := fmt.Sprintf("%x", sha256.Sum256(content)) // the same image sent again is the same event, and credited once
	data, _ := json.Marshal(map[string]any{
		"image": map[string]string{"bytes": base64.StdEncoding.EncodeToString(content)},
		"model": "my-model-2",
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	headers := []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_type", Value: []byte("gmv.image.generated.v1")},
		{Key: "ce_source", Value: []byte("https://images.example/generator")},
		{Key: "ce_id", Value: []byte(id)},
		{Key: "content-type", Value: []byte("application/json")},
	}
	event := &kgo.Record{Topic: os.Args[2], Key: []byte(id), Value: data, Headers: headers}
	if err := client.ProduceSync(context.Background(), event).FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)
}
