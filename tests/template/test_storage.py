"""What is kept is encrypted, private, kept long enough, and not longer."""

from __future__ import annotations

import pytest

from tests.support.template import each, functions, resources, target, written

DAY = 86400


def test_queues_are_encrypted_with_the_key_that_is_named_or_with_their_own():
    for name, queue in resources("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}, name
        assert queue["KmsMasterKeyId"] == {
            "Fn::If": ["HasKmsKey", {"Ref": "KmsKey"}, {"Ref": "AWS::NoValue"}]
        }, name


def test_queues_and_bucket_are_reached_over_tls_only():
    stores = set(resources("AWS::SQS::Queue")) | set(resources("AWS::S3::Bucket"))
    policies = [*resources("AWS::SQS::QueuePolicy").values(), *resources("AWS::S3::BucketPolicy").values()]
    protected = set()
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Condition"] == {
                "Bool": {"aws:SecureTransport": "false"}
            }:
                assert statement["Principal"] == "*"
                assert statement["Action"] in ("sqs:*", "s3:*")
                protected |= {target(one) for one in each(statement["Resource"]) if "Fn::Sub" not in one}
    assert protected == stores


def test_the_bucket_is_private_and_encrypted():
    (bucket,) = resources("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("days", written()["Parameters"]["KeepDead"]["AllowedValues"])
def test_objects_outlive_the_dead_letters_that_point_at_them(days):
    """However long such a delivery had waited before it died: the longest that CloudFormation lets us choose."""
    chosen = written()["Mappings"]["KeepDead"][days]
    assert chosen["Seconds"] == int(days) * DAY
    assert chosen["ObjectDays"] >= int(days) + 90


def test_the_journal_keeps_its_keys():
    """They are for good: a key cannot be changed without losing the table."""
    journal = resources("AWS::DynamoDB::Table")["Journal"]
    keys = {"": journal["KeySchema"]} | {
        one["IndexName"]: one["KeySchema"] for one in journal["GlobalSecondaryIndexes"]
    }
    assert {name: [key["AttributeName"] for key in schema] for name, schema in keys.items()} == {
        "": ["id", "part"],
        "due": ["due_shard", "due_at"],
        "open": ["open_shard", "open_at"],
    }
    types = {one["AttributeName"]: one["AttributeType"] for one in journal["AttributeDefinitions"]}
    assert types == {
        "id": "S",
        "part": "S",
        "due_shard": "S",
        "due_at": "N",
        "open_shard": "S",
        "open_at": "S",
    }


def test_the_state_keeps_its_keys():
    state = resources("AWS::DynamoDB::Table")["State"]
    assert [key["AttributeName"] for key in state["KeySchema"]] == ["id", "part"]
    assert {one["AttributeType"] for one in state["AttributeDefinitions"]} == {"S"}


@pytest.mark.parametrize("name", resources("AWS::DynamoDB::Table"))
def test_a_table_survives_mistakes(name):
    resource = written()["Resources"][name]
    table = resource["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["HasDeletionProtection", True, False]}
    assert table["SSESpecification"]["Fn::If"][1]["KMSMasterKeyId"] == {"Ref": "KmsKey"}
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_every_log_group_forgets_and_every_function_has_one():
    groups = resources("AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["RetentionInDays"] == {"Ref": "LogRetention"}, name
    used = {target(function["LoggingConfig"]["LogGroup"]) for function in functions().values()}
    assert used == set(groups) - {"AccessLog"}
    for name, function in functions().items():
        assert function["LoggingConfig"]["LogFormat"] == "JSON", name
        assert function["Tracing"] == "Active", name


def test_what_the_bus_told_can_be_told_again():
    (archive,) = resources("AWS::Events::Archive").values()
    assert target(archive["SourceArn"]) in resources("AWS::Events::EventBus")
