from huggingface_hub import EvalResult, ModelCard, ModelCardData

told = {
    "task_type": "text-classification",
    "dataset_type": "pubmed_qa",
    "dataset_name": "PubMedQA",
    "dataset_split": "test",
}
card = ModelCardData(
    language="en", license="apache-2.0", model_name="example-model",
    eval_results=[
        EvalResult(**told, dataset_revision="a1b2c3", metric_type="accuracy", metric_value=76.5,
                   metric_name="Accuracy"),
        EvalResult(**told, dataset_revision="a1b2c3", metric_type="f1", metric_value=0.741, metric_name="F1 (macro)"),
        EvalResult(task_type="text-generation", dataset_type="medqa", dataset_name="MedQA", metric_type="exact_match",
                   metric_value=0.5, verified=True, verify_token="not-a-token"),
    ],
)  # fmt: skip
ModelCard(f"---\n{card.to_yaml()}\n---\n\n# Example\n\nText of the page.\n").save("README-model.md")
